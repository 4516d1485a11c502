-- KEYS: none
-- ARGV: tenant, name
-- Returns 'deleted', 'gone' or 'used' (runs or searches pin it).
local old = entry_of(tenant, name)
if not old then return 'gone' end
if is_used(tenant, name) then return 'used' end
redis.call('HDEL', datasets_key(tenant), name)
release_text(old.digest)
count_bytes(tenant, -old.bytes)
return 'deleted'
