-- Brings what an older version has stored to the present format, and notes the format of an empty Redis. A newer one is
-- left alone.
-- KEYS: none
-- ARGV: format (the present one)
-- Returns the format that it has now.
local found = tonumber(redis.call('GET', FORMAT_KEY) or '1')
if found >= format then return found end
-- 1, which had no key: its searches were of another kind (a constant rate), which nobody has used; they go. The runs that they
-- trained stay, as the runs of their own that they were, and who waited for one is told so (src/train, releaseForsaken).
for _, id in ipairs(redis.call('ZRANGE', SEARCHES_KEY, 0, -1)) do
  local spec = cjson.decode(field(id, 'spec'))
  redis.call('ZREM', status_key(DEFAULT_TENANT, field(id, 'status')), id)
  redis.call('ZREM', dataset_users_key(DEFAULT_TENANT, spec.run.dataset.name), id)
  for _, label in ipairs(spec.labels) do redis.call('ZREM', ROOT .. LABEL_SUFFIX .. label, id) end
  redis.call('UNLINK', key(id), log_key(id))
end
redis.call('DEL', SEARCHES_KEY)
-- Nor had it either of the indexes of runs that wait for a rate, and of what is over.
for _, status in ipairs({'queued', 'paused'}) do
  for _, id in ipairs(redis.call('ZRANGE', status_key(DEFAULT_TENANT, status), 0, -1)) do
    local search = field(id, 'waitsFor')
    if search then redis.call('HSET', WAITING_KEY, id, search) end
  end
end
for status in string.gmatch(TERMINAL, '%S+') do
  for _, id in ipairs(redis.call('ZRANGE', status_key(DEFAULT_TENANT, status), 0, -1)) do
    redis.call('ZADD', FINISHED_KEY, number(id, 'finishedAt'), id)
  end
end
redis.call('SET', FORMAT_KEY, format)
return format
