-- KEYS: none
-- ARGV: name
-- Returns 'deleted', 'gone' or 'used' (runs or searches pin it).
local old = entry_of(name)
if not old then return 'gone' end
if is_used(name) then return 'used' end
redis.call('HDEL', DATASETS_KEY, name)
release_text(old.digest)
return 'deleted'
