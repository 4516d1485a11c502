-- A fact about the attempt, written once known.
-- KEYS: none
-- ARGV: id, fence, build
-- Returns 'ok' or 'stale'.
if not owns(id, fence) then return 'stale' end
redis.call('HSET', key(id), 'engineBuild', build)
return 'ok'
