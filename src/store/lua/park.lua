-- Puts a run aside that the worker with its job cannot train.
-- KEYS: none
-- ARGV: id, epoch (of the job), needs (what the worker lacks), limit (crashes in a row)
-- Returns 'parked', or 'moot' where nothing is to be put aside, or no longer.
local status = field(id, 'status')
if (status ~= 'queued' and status ~= 'running') or number(id, 'epoch') ~= epoch or field(id, 'waitsFor') then return 'moot' end
if apply_requests(id) ~= 'continue' or failed_by_crash(id, limit) then return 'moot' end
local reason = 'waits for a worker with ' .. needs
local at = now_ms()
if status == 'running' then
  set_status(id, 'release', 'queued', reason)
elseif field(id, 'reason') ~= reason then
  redis.call('HSET', key(id), 'reason', reason)
  tell(id, 'queued', at, reason)
end
redis.call('HSET', key(id), 'parked', needs)
redis.call('HSETNX', key(id), 'parkedAt', at)
local exact = cjson.decode(field(id, 'spec')).exact ~= false
redis.call('HSET', PARKED_KEY, id, cjson.encode({ needs = needs, since = number(id, 'parkedAt'), exact = exact }))
return 'parked'
