-- ARGV: member; what was found: epoch, last seq, administration, lengths of both lists; what is to
-- be: epoch, last seq, administration, elements to keep; then fields and sums. Where something
-- else is found by now, nothing is done.
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
if kind(I) ~= 'hash' then
  call('DEL', I)
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
if kind(M) == 'hash' then
  for _, field in ipairs(call('HKEYS', M)) do
    if string.match(field, '^[nkqb]%a%a%a$') then
      call('HDEL', M, field)
    end
  end
end
call('HSET', M, 'e', ARGV[7], 's', ARGV[8], 'a', ARGV[9])
for place = 11, #ARGV, 2 do
  call('HSET', M, ARGV[place], ARGV[place + 1])
end
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
