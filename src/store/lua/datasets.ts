import { DATASET_BYTES_KEY, DATASET_TEXT_PREFIX, DATASET_USERS_PREFIX, DATASETS_KEY } from "../keys.js";

/** A name less points to a text. */
export const DATASET_PRELUDE = `
local function release(digest)
  local text = '${DATASET_TEXT_PREFIX}' .. digest
  if redis.call('HINCRBY', text, 'names', -1) > 0 then return end
  redis.call('DECRBY', '${DATASET_BYTES_KEY}', redis.call('HSTRLEN', text, 'text'))
  redis.call('UNLINK', text)
end

local function entry_of(name)
  local entry = redis.call('HGET', '${DATASETS_KEY}', name)
  return entry and cjson.decode(entry)
end

local function is_used(name)
  return redis.call('EXISTS', '${DATASET_USERS_PREFIX}' .. name) == 1
end
`;

/**
 * Points a name to a text. ARGV: name, digest, text, entry (JSON, with the digest), most names, most bytes of all texts.
 * Returns 'created', 'same' (it points there already), 'replaced', 'used' (runs pin another text by this name) or 'full'.
 */
export const PUT_DATASET = `
local name, digest, bytes = ARGV[1], ARGV[2], string.len(ARGV[3])
local text = '${DATASET_TEXT_PREFIX}' .. digest
local old = entry_of(name)
if old and old.digest == digest then return 'same' end
if old and is_used(name) then return 'used' end
if not old and redis.call('HLEN', '${DATASETS_KEY}') >= tonumber(ARGV[5]) then return 'full' end
if redis.call('EXISTS', text) == 0 then
  if tonumber(redis.call('GET', '${DATASET_BYTES_KEY}') or '0') + bytes > tonumber(ARGV[6]) then return 'full' end
  redis.call('HSET', text, 'text', ARGV[3])
  redis.call('INCRBY', '${DATASET_BYTES_KEY}', bytes)
end
redis.call('HINCRBY', text, 'names', 1)
redis.call('HSET', '${DATASETS_KEY}', name, ARGV[4])
if not old then return 'created' end
release(old.digest)
return 'replaced'
`;

/** ARGV: name. Returns 'deleted', 'gone' or 'used'. */
export const DELETE_DATASET = `
local old = entry_of(ARGV[1])
if not old then return 'gone' end
if is_used(ARGV[1]) then return 'used' end
redis.call('HDEL', '${DATASETS_KEY}', ARGV[1])
release(old.digest)
return 'deleted'
`;
