-- What trains the record in this attempt, written once known.
-- KEYS: none
-- ARGV: id, fence, build, numerics, change (of numerics, in words)
-- Returns 'ok' or 'stale'.
if not owns(id, fence) then return 'stale' end
redis.call('HSET', key(id), 'engineBuild', build, 'numerics', numerics)
redis.call('HDEL', key(id), 'waived')
if change then tell(id, field(id, 'status'), now_ms(), change) end
return 'ok'
