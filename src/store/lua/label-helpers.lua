-- For the scripts that change in which lists by label a record stands. Children stand in none.

local function each_label(id, command, ...)
  if redis.call('HEXISTS', key(id), 'parent') == 1 then return end
  local labels = field(id, 'labels')
  labels = labels and cjson.decode(labels) or cjson.decode(field(id, 'spec')).labels
  for _, label in ipairs(labels) do redis.call(command, root_of(tenant_of(id)) .. LABEL_SUFFIX .. label, unpack({...})) end
end

local function list_labels(id) each_label(id, 'ZADD', 0, id) end
local function unlist_labels(id) each_label(id, 'ZREM', id) end
