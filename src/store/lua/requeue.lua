-- Gives a record without an owner a new job.
-- KEYS: none
-- ARGV: id, epoch (whose job is gone)
-- Returns the new epoch, or nil when moot.
local status = field(id, 'status')
if status ~= 'queued' and not is_held(status) then return nil end
if number(id, 'epoch') ~= epoch then return nil end
if apply_requests(id) ~= 'continue' then return nil end
return redis.call('HINCRBY', key(id), 'epoch', 1)
