-- A run that was put aside is tried again.
-- KEYS: none
-- ARGV: id, waive (it may go on under other numerics)
-- Returns the epoch of the job that it needs, or nil when moot.
redis.call('HDEL', PARKED_KEY, id)
if field(id, 'status') ~= 'queued' or redis.call('HDEL', key(id), 'parked') == 0 then return nil end
if waive then redis.call('HSET', key(id), 'waived', 1) end
return redis.call('HINCRBY', key(id), 'epoch', 1)
