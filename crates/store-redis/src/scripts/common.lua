-- What every script begins with. The keys are those of one conversation and of its tag.
local M, T, P, I, X, Y = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local call, sub = redis.call, string.sub
local BATCH = 1000

local function text(number)
  return string.format('%.0f', number)
end

-- The state of the conversation; nil where there is none, and with that what is damaged. Ids that
-- were left alone belong to a life that has ended.
local function load()
  local try = redis.pcall
  local stored, tallies, payloads = try('HMGET', M, 'e', 's', 'a'), try('LLEN', T), try('LLEN', P)
  if stored.err or type(tallies) == 'table' or type(payloads) == 'table' then
    return nil, 'DAMAGED type'
  end
  if not stored[1] then
    if stored[2] or stored[3] or tallies > 0 or payloads > 0 then
      return nil, 'DAMAGED meta'
    end
    return nil
  end
  local st = {
    e = sub(stored[1], 1, 16), first = sub(stored[1], 17), s = tonumber(stored[2]),
    h = 1, f = 0, l = 0, v = 0, z = 0, g = 0, c = '-', o = '-',
  }
  if stored[3] then
    local h, f, l, v, z, g, c, o =
      string.match(stored[3], '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%S+) (%S+)$')
    if not h then
      return nil, 'DAMAGED meta'
    end
    st.h, st.f, st.l, st.v = tonumber(h), tonumber(f), tonumber(l), tonumber(v)
    st.z, st.g, st.c, st.o = tonumber(z), tonumber(g), c, o
  end
  if not st.s or #st.first ~= 3 then
    return nil, 'DAMAGED meta'
  end
  if tallies ~= payloads or tallies ~= st.s - st.h + 1 then
    return nil, 'DAMAGED lengths'
  end
  if st.g > 0 and try('HLEN', I) ~= st.g then
    return nil, 'DAMAGED ids'
  end
  return st
end

local function save(st)
  call('HSET', M, 'a', table.concat({
    text(st.h), text(st.f), text(st.l), text(st.v), text(st.z), text(st.g), st.c, st.o,
  }, ' '))
end

local function current(st)
  if st.c == '-' then
    return st.first
  end
  return st.c
end

-- How many counters there are, and whether this is one of them.
local function counters(st, code)
  local count, found = 1, st.first == code
  if st.o ~= '-' then
    for other in string.gmatch(st.o, '%a%a%a') do
      count = count + 1
      found = found or other == code
    end
  end
  return count, found
end

local function add_counter(st, code)
  st.o = st.o == '-' and code or st.o .. code
end

local function make_current(st, code)
  st.c = code == st.first and '-' or code
end

local function messages(st)
  if st.f == 0 then
    return st.s
  end
  return st.s - st.f + 1 + st.l
end

-- What is pending under a counter, and what fallbacks counted.
local function waiting(st, code)
  local sums = call('HMGET', M, 'k' .. code, 'q' .. code, 'b' .. code)
  local tallied, estimated = tonumber(sums[1] or 0), tonumber(sums[2] or 0)
  return messages(st) - tallied + estimated, tonumber(sums[3] or 0)
end

-- The server's time in milliseconds since 1970.
local function now()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- An index of another type says nothing, and must not stop what is under way. Any other refusal is
-- one of the command itself, and leaves the index as it is.
local function in_index(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then
    if sub(answer.err, 1, 9) == 'WRONGTYPE' then
      call('DEL', (select(2, ...)))
    end
    call(...)
  end
end

-- Brings the indexes in line. A lease that runs stays, and ends where nothing is left to do.
local function index(st, member, due)
  local pending, fallback = waiting(st, current(st))
  if pending > 0 then
    in_index('ZADD', X, 'NX', due, member)
  else
    in_index('ZREM', X, member)
  end
  if fallback > 0 then
    in_index('ZADD', Y, 'NX', 0, member)
  else
    in_index('ZREM', Y, member)
  end
end

-- Messages whose payloads are read or freed at a time. Their sizes may not be known.
local function payloads_at_once(st)
  if st.z == 0 then
    return 8
  end
  return math.max(1, math.min(BATCH, math.floor(8388608 / st.z)))
end

local function numbers(code)
  return call('HMGET', M, 'e', 's', 'a', 'n' .. code, 'k' .. code, 'q' .. code, 'b' .. code)
end

-- Adds what an element says to sums, or takes it away.
local function sum(sums, element, sign)
  for code, state, tokens in string.gmatch(sub(element, 10), '(%a%a%a)(%a)(%d+)') do
    local add = function(field, number)
      sums[field .. code] = (sums[field .. code] or 0) + sign * number
    end
    add('n', tonumber(tokens))
    add('k', 1)
    if state == 'e' then
      add('q', 1)
    elseif state == 'b' then
      add('b', 1)
    end
  end
end

-- Comes before all other changes of messages, because it can be refused: by a sum that is no
-- number, or for want of memory. Gives the refusal.
local function add_sums(sums)
  for field, number in pairs(sums) do
    if number ~= 0 then
      local answer = redis.pcall('HINCRBY', M, field, text(number))
      if type(answer) == 'table' then
        if string.find(answer.err, 'integer') or string.find(answer.err, 'overflow') then
          return redis.error_reply('DAMAGED meta')
        end
        return answer
      end
    end
  end
end

-- A server without memory lets a script go on that has begun with a command that needs none. So do
-- those that free memory, and those that only change what is there.
local function begin_to_free()
  redis.pcall('HDEL', M, '')
end

-- The same of what frees memory, or only changes what is there.
local function change_sums(sums)
  begin_to_free()
  return add_sums(sums)
end

-- The stored head: pairs of element and payload.
local function read_head(st)
  local head = {}
  if st.l > 0 then
    local packed, at = call('HGET', M, 'H') or '', 1
    while at <= #packed do
      local element, payload
      element, payload, at = struct.unpack('>I4c0I4c0', packed, at)
      head[#head + 1] = { element, payload }
    end
  end
  return head
end

local function write_head(head)
  if #head == 0 then
    call('HDEL', M, 'H')
    return
  end
  local packed = {}
  for place, kept in ipairs(head) do
    packed[place] = struct.pack('>I4c0I4c0', #kept[1], kept[1], #kept[2], kept[2])
  end
  call('HSET', M, 'H', table.concat(packed))
end

-- The element of a retained message; nil where it is none.
local function element_at(st, head, seq)
  if seq < 1 or seq > st.s then
    return nil
  end
  if st.f > 0 and seq < st.f then
    return head[seq] and head[seq][1]
  end
  return call('LINDEX', T, seq - st.h)
end

-- The caller's id that stands before a payload.
local function id_of(payload)
  if string.byte(payload) == 1 then
    return (struct.unpack('>I2c0', payload, 2))
  end
end

-- How many instructions the conversation begins with.
local function leading(st)
  local count = 0
  while count < st.s do
    local at = count + 1 - st.h
    local elements = call('LRANGE', T, at, at + 63)
    for _, element in ipairs(elements) do
      if sub(element, 1, 1) ~= 'i' then
        return count
      end
      count = count + 1
    end
  end
  return count
end

