-- A run that has waited for its rate gets its final spec.
-- KEYS: none
-- ARGV: id, spec (JSON), note (JSON: what was chosen, and why)
-- Returns the epoch of the job that it needs, or nil when moot.
local status = field(id, 'status')
if (status ~= 'queued' and status ~= 'paused') or not field(id, 'waitsFor') then return nil end
redis.call('HDEL', key(id), 'waitsFor')
redis.call('HDEL', WAITING_KEY, id)
redis.call('HSET', key(id), 'spec', spec, 'autoLr', note)
if status == 'paused' then return nil end
return number(id, 'epoch')
