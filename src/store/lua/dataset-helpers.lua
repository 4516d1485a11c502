-- For the scripts of datasets.

-- A name less points to a text.
local function release_text(digest)
  local text = DATASET_TEXT_PREFIX .. digest
  if redis.call('HINCRBY', text, 'names', -1) > 0 then return end
  redis.call('DECRBY', DATASET_BYTES_KEY, redis.call('HSTRLEN', text, 'text'))
  redis.call('UNLINK', text)
end

local function entry_of(tenant, name)
  local entry = redis.call('HGET', datasets_key(tenant), name)
  return entry and cjson.decode(entry)
end

local function is_used(tenant, name)
  return redis.call('EXISTS', dataset_users_key(tenant, name)) == 1
end
