-- For the scripts of datasets.

-- A name less points to a text.
local function release_text(digest)
  local text = DATASET_TEXT_PREFIX .. digest
  if redis.call('HINCRBY', text, 'names', -1) > 0 then return end
  redis.call('DECRBY', DATASET_BYTES_KEY, redis.call('HSTRLEN', text, 'text'))
  redis.call('UNLINK', text)
end

local function entry_of(name)
  local entry = redis.call('HGET', DATASETS_KEY, name)
  return entry and cjson.decode(entry)
end

local function is_used(name)
  return redis.call('EXISTS', DATASET_USERS_PREFIX .. name) == 1
end
