-- Points a name to a text.
-- KEYS: none
-- ARGV: tenant, name, digest, text (bytes), entry (JSON, with the digest), mostNames, mostBytes (of all texts together)
-- Returns 'created', 'same' (it points there already), 'replaced', 'used' (runs pin another text by this name) 'full', or
-- 'over-bytes' (of its tenant's quota).
local bytes = string.len(text)
local target = DATASET_TEXT_PREFIX .. digest
local old = entry_of(tenant, name)
if old and old.digest == digest then return 'same' end
if old and is_used(tenant, name) then return 'used' end
if not old and redis.call('HLEN', datasets_key(tenant)) >= mostNames then return 'full' end
local more = bytes - (old and old.bytes or 0)
if exceeded(tenant, nil, more) then return 'over-bytes' end
if redis.call('EXISTS', target) == 0 then
  if tonumber(redis.call('GET', DATASET_BYTES_KEY) or '0') + bytes > mostBytes then return 'full' end
  redis.call('HSET', target, 'text', text)
  redis.call('INCRBY', DATASET_BYTES_KEY, bytes)
end
redis.call('HINCRBY', target, 'names', 1)
redis.call('HSET', datasets_key(tenant), name, entry)
count_bytes(tenant, more)
if not old then return 'created' end
release_text(old.digest)
return 'replaced'
