-- ARGV: member; what was found: epoch, last seq, administration, lengths of both lists; what is to
-- be: epoch, last seq, administration, elements to keep; numbers of ids, or nothing where they
-- stay, of elements that are made anew, and of sums; then these in pairs: id and what stands for
-- it, index and element, field and sum. Where something else is found by now, nothing is done.
local function kind(key)
  return call('TYPE', key).ok
end

local function found(key, field)
  return kind(M) == 'hash' and call('HGET', M, field) or ''
end

local function length(key)
  local of = kind(key)
  if of == 'list' then
    return call('LLEN', key)
  end
  return of == 'none' and 0 or -1
end

if found(M, 'e') ~= ARGV[2] or found(M, 's') ~= ARGV[3] or found(M, 'a') ~= ARGV[4]
    or text(length(T)) ~= ARGV[5] or text(length(P)) ~= ARGV[6] then
  return 0
end
local ends = -1
for _, key in ipairs({ M, T, P }) do
  ends = math.max(ends, call('PEXPIRETIME', key))
end
if kind(M) ~= 'hash' then
  call('DEL', M)
end
local ids, elements, sums_of = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local at = 14

local function set_pairs(key, count)
  local to = at + 2 * count - 1
  while at <= to do
    local last = math.min(at + 2 * BATCH - 1, to)
    call('HSET', key, unpack(ARGV, at, last))
    at = last + 1
  end
end

if ids then
  call('DEL', I)
  set_pairs(I, ids)
end
local keep = tonumber(ARGV[10])
for _, list in ipairs({ T, P }) do
  if length(list) < 0 or keep == 0 then
    call('DEL', list)
  end
  if keep == 0 then
    call('RPUSH', list, '')
  else
    call('LTRIM', list, -keep, -1)
  end
end
local lost = keep - length(T)
while lost > 0 do
  local some = {}
  for place = 1, math.min(lost, BATCH) do
    some[place] = ''
  end
  call('LPUSH', T, unpack(some))
  lost = lost - #some
end
for _ = 1, elements do
  call('LSET', T, ARGV[at], ARGV[at + 1])
  at = at + 2
end
if kind(M) == 'hash' then
  for _, field in ipairs(call('HKEYS', M)) do
    if string.match(field, '^[nkqb]%a%a%a$') then
      call('HDEL', M, field)
    end
  end
end
call('HSET', M, 'e', ARGV[7], 's', ARGV[8], 'a', ARGV[9])
set_pairs(M, sums_of)
local st = load()
if st.l == 0 then
  call('HDEL', M, 'H')
end
for _, key in ipairs({ M, T, P, I }) do
  if ends > 0 then
    call('PEXPIREAT', key, text(ends))
  else
    call('PERSIST', key)
  end
end
for _, queue in ipairs({ X, Y }) do
  if kind(queue) ~= 'zset' then
    call('DEL', queue)
  end
end
index(st, ARGV[1], 0)
return 1
