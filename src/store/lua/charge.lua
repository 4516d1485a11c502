-- Notes what a turn took beyond, or short of, what was taken for it when it was queued.
-- KEYS: none
-- ARGV: id, unit, slice, least, took (seconds)
-- Returns 'ok'.
if not field(id, 'status') then return 'ok' end
local owners, owner = fair_owner(id)
local difference = (took - turn_of(id, slice, least)) / unit * math.max(1, redis.call('ZCARD', owners))
if redis.call('ZSCORE', owners, owner) then redis.call('ZINCRBY', owners, difference, owner) end
return 'ok'
