-- Takes a record for one attempt.
-- KEYS: none
-- ARGV: id, token (one per attempt, so that a re-sent claim is the same claim), limit (crashes in a row), epoch (of the
--   job: a job of an older one is not the record's any more), worker (its name)
-- Returns {'claimed', fence} or {why not}: gone, superseded, waiting, or the status that it has.
local status = field(id, 'status')
if not status then return {'gone'} end
if is_terminal(status) or status == 'paused' then return {status} end
if field(id, 'claim') == token then return {'claimed', field(id, 'fence')} end
if number(id, 'epoch') ~= epoch then return {'superseded'} end
if field(id, 'waitsFor') then return {'waiting'} end
local outcome = apply_requests(id)
if outcome ~= 'continue' then return {outcome} end
if failed_by_crash(id, limit) then return {'failed'} end
local fence = redis.call('HINCRBY', key(id), 'fence', 1)
redis.call('HINCRBY', key(id), 'attempts', 1)
local at = now_ms()
redis.call('HSET', key(id), 'claim', token, 'worker', worker, 'claimedAt', at)
redis.call('HSETNX', key(id), 'startedAt', at)
if status ~= 'running' then set_status(id, 'claim', 'running') end
return {'claimed', tostring(fence)}
