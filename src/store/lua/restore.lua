-- Stores a run that is over as another store had it, from what was staged under another id.
-- KEYS: the indexes that it is to stand in, besides those of its labels
-- ARGV: id, staged (the id that log and checkpoints were staged under), fields (JSON: the record), dataset (its name),
--   tenant (whose it is from now on), bytes (that it is estimated to take), digest (that the dataset must have; none: any), kept (JSON: steps of the checkpoints that it keeps)
-- Returns 'restored', 'exists', 'no-dataset' or 'over-bytes'.
if redis.call('EXISTS', key(id)) == 1 then return 'exists' end
if digest then
  local entry = redis.call('HGET', datasets_key(tenant), dataset)
  if not entry or cjson.decode(entry).digest ~= digest then return 'no-dataset' end
end
local over = exceeded(tenant, nil, bytes)
if over then return over end
-- What is staged expires by itself where nobody takes it.
local function take(from, to)
  if redis.call('EXISTS', from) == 0 then return end
  redis.call('RENAME', from, to)
  redis.call('PERSIST', to)
end
take(log_key(staged), log_key(id))
take(checkpoint_key(staged), checkpoint_key(id))
for _, step in ipairs(cjson.decode(kept)) do
  take(kept_checkpoint_key(staged, step), kept_checkpoint_key(id, step))
  redis.call('ZADD', kept_key(id), step, string.format('%.0f', step))
end
for name, value in pairs(cjson.decode(fields)) do redis.call('HSET', key(id), name, value) end
if tenant ~= DEFAULT_TENANT then redis.call('HSET', key(id), 'tenant', tenant) end
redis.call('HSET', key(id), 'bytes', string.format('%.0f', bytes))
count_bytes(tenant, bytes)
for _, index in ipairs(KEYS) do redis.call('ZADD', index, 0, id) end
list_labels(id)
index_status(id, 'ZADD', field(id, 'status'))
redis.call('ZADD', FINISHED_KEY, number(id, 'finishedAt'), id)
redis.call('PUBLISH', WAKE_CHANNEL, id)
return 'restored'
