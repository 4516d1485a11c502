-- Frees all of a record; its children must have been deleted before.
-- KEYS: the indexes that it stands in, besides those of its labels
-- ARGV: id
-- Returns 'deleted', 'gone', 'conflict' (an attempt may hold it) or 'children'.
local status = field(id, 'status')
if not status then return 'gone' end
if is_held(status) then return 'conflict' end
if redis.call('EXISTS', CHILDREN_PREFIX .. id) == 1 then return 'children' end
index_status(id, 'ZREM', status)
redis.call('ZREM', FINISHED_KEY, id)
redis.call('HDEL', WAITING_KEY, id)
redis.call('HDEL', PARKED_KEY, id)
for _, index in ipairs(KEYS) do redis.call('ZREM', index, id) end
unlist_labels(id)
for _, step in ipairs(redis.call('ZRANGE', kept_key(id), 0, -1)) do
  redis.call('UNLINK', kept_checkpoint_key(id, step))
end
local tenant = tenant_of(id)
count_bytes(tenant, -number(id, 'bytes'))
if tenant ~= DEFAULT_TENANT then redis.call('SET', GONE_PREFIX .. id, tenant, 'EX', 60) end
redis.call('UNLINK', key(id), log_key(id), checkpoint_key(id), kept_key(id), webhook_key(id), webhook_events_key(id))
redis.call('PUBLISH', WAKE_CHANNEL, id)
return 'deleted'
