-- Writes what a person says about a record. It is kept beside the spec, which workers and searches rewrite. What is not given stays.
-- KEYS: none
-- ARGV: id, name (JSON text, null for none), labels (JSON), notes (JSON)
-- Returns 'ok' or 'gone'.
if not field(id, 'status') then return 'gone' end
unlist_labels(id)
if name then
  local text = cjson.decode(name)
  redis.call('HSET', key(id), 'name', text == cjson.null and '' or text)
end
if labels then redis.call('HSET', key(id), 'labels', labels) end
if notes then redis.call('HSET', key(id), 'notes', cjson.decode(notes)) end
list_labels(id)
redis.call('PUBLISH', WAKE_CHANNEL, id)
return 'ok'
