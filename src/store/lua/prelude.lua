-- What every script begins with, after its own arguments. Names in capitals are constants, for which script.ts writes their
-- values: the keys of keys.ts, and TERMINAL, HELD and TRANSITIONS of src/schemas/status.ts.
--
-- Every change of a record is one script, so a crash leaves the record before or after it, never between.
--
-- A record's log is a stream whose ids say what they hold:
--   <to>-0     a chunk of metrics that ends before step <to>;
--   <step>-<n> (n > 0) a status change made when <step> steps were committed; n counts the record's status changes.
-- So a log position is a step number, a re-sent XADD is refused by Redis, and the terminal status is the last entry.

local function key(id) return RUN_PREFIX .. id end
local function log_key(id) return RUN_PREFIX .. id .. LOG_SUFFIX end
local function checkpoint_key(id) return RUN_PREFIX .. id .. CHECKPOINT_SUFFIX end
local function kept_checkpoint_key(id, step) return checkpoint_key(id) .. ':' .. string.format('%.0f', step) end
local function kept_key(id) return RUN_PREFIX .. id .. KEPT_SUFFIX end
local function webhook_key(id) return RUN_PREFIX .. id .. WEBHOOK_SUFFIX end
local function webhook_events_key(id) return RUN_PREFIX .. id .. EVENTS_SUFFIX end

local function field(id, name) return redis.call('HGET', key(id), name) end
local function tenant_of(id) return field(id, 'tenant') or DEFAULT_TENANT end

-- What the keys of a tenant begin with.
local function root_of(tenant) return tenant == DEFAULT_TENANT and ROOT or TENANT_PREFIX .. tenant end
local function status_key(tenant, status) return root_of(tenant) .. STATUS_SUFFIX .. status end
local function datasets_key(tenant) return root_of(tenant) .. DATASETS_SUFFIX end
local function dataset_users_key(tenant, name) return root_of(tenant) .. DATASET_USERS_SUFFIX .. name end

-- Puts a record in ('ZADD') the indexes of a status, or takes it out ('ZREM'). The service finds each record in one of two:
-- the default tenant's list, and that of all that are not in it. A tenant's list has what has no parent.
local function index_status(id, command, status)
  local tenant = tenant_of(id)
  local is_listed = redis.call('HEXISTS', key(id), 'parent') == 0
  local keys = {}
  if is_listed then table.insert(keys, status_key(tenant, status)) end
  if not is_listed or tenant ~= DEFAULT_TENANT then table.insert(keys, CHILD_STATUS_PREFIX .. status) end
  for _, index in ipairs(keys) do
    if command == 'ZADD' then redis.call('ZADD', index, 0, id) else redis.call('ZREM', index, id) end
  end
end

local function number(id, name) return tonumber(field(id, name) or '0') end

local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function is_terminal(status)
  return string.find(TERMINAL, ' ' .. status .. ' ', 1, true) ~= nil
end

-- May a worker hold a record of that status? Not where there is none.
local function is_held(status)
  return status and string.find(HELD, ' ' .. status .. ' ', 1, true) ~= nil
end

-- Hands out the first event of a record that waits for its webhook. The next has its turn when that one is settled, so they
-- come in order.
local function hand_out_event(id)
  local sequence = redis.call('LINDEX', webhook_events_key(id), 0)
  if not sequence then return end
  redis.call('XADD', OUTBOX_KEY, '*', 'id', id, 'sequence', sequence, 'round', redis.call('HGET', webhook_key(id), 'round'))
end

-- Notes a status for the record's webhook, if that is to hear of it.
local function note_event(id, sequence, entry)
  local events = redis.call('HGET', webhook_key(id), 'events')
  if not events or not string.find(events, ' ' .. entry.status .. ' ', 1, true) then return end
  redis.call('HSET', webhook_key(id), 'event:' .. sequence, cjson.encode(entry))
  if redis.call('RPUSH', webhook_events_key(id), sequence) == 1 then hand_out_event(id) end
end

-- Says a status in the log, and wakes the readers. Returns what the log has of it, and how many there were.
local function tell(id, status, at, reason)
  local count = redis.call('HINCRBY', key(id), 'statusChanges', 1)
  local entry = { status = status, at = at, reason = reason }
  redis.call('XADD', log_key(id), string.format('%.0f-%.0f', number(id, 'committed'), count), 's', cjson.encode(entry))
  redis.call('PUBLISH', WAKE_CHANNEL, id)
  return entry, count
end

-- Moves a record to a status, in its record, in the indexes, in its log, and wakes its readers. `on` is the event of
-- TRANSITIONS; one that is not there is an error, before anything is written here.
local function set_status(id, on, status, reason)
  local old = field(id, 'status')
  local step = ' ' .. (old or 'none') .. '|' .. on .. '|' .. status .. ' '
  if not string.find(TRANSITIONS, step, 1, true) then error('there is no transition' .. step .. 'of ' .. id) end
  if old then index_status(id, 'ZREM', old) end
  -- What it waited for is said no longer.
  if old == 'queued' and redis.call('HDEL', key(id), 'parkedAt') == 1 then
    redis.call('HDEL', key(id), 'parked', 'reason')
    redis.call('HDEL', PARKED_KEY, id)
  end
  index_status(id, 'ZADD', status)
  redis.call('HSET', key(id), 'status', status)
  if reason then redis.call('HSET', key(id), 'reason', reason) end
  local at = now_ms()
  if is_terminal(status) then
    redis.call('HSET', key(id), 'finishedAt', at)
    redis.call('HDEL', key(id), 'pauseRequested')
    redis.call('HDEL', WAITING_KEY, id)
    -- A child's end is its parent's.
    if redis.call('HEXISTS', key(id), 'parent') == 0 then redis.call('ZADD', FINISHED_KEY, at, id) end
  end
  local entry, count = tell(id, status, at, reason)
  note_event(id, count, entry)
end

-- Does this attempt still own the record? Counts what it refuses.
local function owns(id, fence)
  local status = field(id, 'status')
  if field(id, 'fence') == fence and is_held(status) then return true end
  redis.call('HINCRBY', TOTALS_KEY, 'refused', 1)
  return false
end

-- Does what was requested of a record while an attempt held it; a cancel goes before a pause. Returns 'canceled',
-- 'paused', or 'continue' when nothing was.
local function apply_requests(id)
  if field(id, 'status') == 'canceling' then
    set_status(id, 'apply', 'canceled')
    return 'canceled'
  end
  if redis.call('HDEL', key(id), 'pauseRequested') == 1 then
    set_status(id, 'apply', 'paused')
    return 'paused'
  end
  return 'continue'
end
