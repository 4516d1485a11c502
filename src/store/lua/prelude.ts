import { RUN_PREFIX, STATUS_PREFIX, TOTALS_KEY, WAKE_CHANNEL } from "../keys.js";

/**
 * The Lua scripts: every change of a run is one of them, so a crash leaves a run before or after it, never between.
 *
 * The run's log is a stream whose ids say what they hold:
 *   <to>-0     a chunk of metrics that ends before step <to>;
 *   <step>-<n> (n > 0) a status change made when <step> steps were committed; n counts the run's status changes.
 * So a log position is a step number, a re-sent XADD is refused by Redis, and the terminal status is the last entry.
 */
export const PRELUDE = `
local function key(id) return '${RUN_PREFIX}' .. id end
local function field(id, name) return redis.call('HGET', key(id), name) end
local function number(id, name) return tonumber(field(id, name) or '0') end

local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function is_terminal(status)
  return status == 'succeeded' or status == 'diverged' or status == 'failed' or status == 'canceled'
end

-- Moves a run to a status, in its record, in the index, in its log, and wakes its readers.
local function set_status(id, status, reason)
  local old = field(id, 'status')
  if old then redis.call('ZREM', '${STATUS_PREFIX}' .. old, id) end
  redis.call('ZADD', '${STATUS_PREFIX}' .. status, 0, id)
  redis.call('HSET', key(id), 'status', status)
  if reason then redis.call('HSET', key(id), 'reason', reason) end
  local at = now_ms()
  if is_terminal(status) then
    redis.call('HSET', key(id), 'finishedAt', at)
    redis.call('HDEL', key(id), 'pauseRequested')
  end
  local count = redis.call('HINCRBY', key(id), 'statusChanges', 1)
  local entry = { status = status, at = at, reason = reason }
  redis.call('XADD', key(id) .. ':log', string.format('%.0f-%.0f', number(id, 'committed'), count), 's', cjson.encode(entry))
  redis.call('PUBLISH', '${WAKE_CHANNEL}', id)
end

-- Does this attempt still own the run? Counts what it refuses.
local function owns(id, fence)
  local status = field(id, 'status')
  if field(id, 'fence') == fence and (status == 'running' or status == 'canceling') then return true end
  redis.call('HINCRBY', '${TOTALS_KEY}', 'refused', 1)
  return false
end

-- Does what was asked of a run while an attempt held it; a cancel goes before a pause. Returns 'canceled', 'paused', or
-- 'continue' when nothing was.
local function heed(id)
  if field(id, 'status') == 'canceling' then
    set_status(id, 'canceled')
    return 'canceled'
  end
  if redis.call('HDEL', key(id), 'pauseRequested') == 1 then
    set_status(id, 'paused')
    return 'paused'
  end
  return 'continue'
end
`;
