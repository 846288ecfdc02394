-- ARGV: member, epoch, code, most counters, count; then for each settlement: seq, fingerprint,
-- expected tally or nothing, new tally.
local st, damage = load()
if damage then
  return redis.error_reply(damage)
end
if not st or st.e ~= ARGV[2] then
  return { 'S', 0, {} }
end
local code, count = ARGV[3], tonumber(ARGV[5])

local function tally_in(element)
  for other, tally in string.gmatch(sub(element, 10), '(%a%a%a)(%a%d+)') do
    if other == code then
      return tally
    end
  end
  return ''
end

local function replaced(element, tally)
  local parts, found = { sub(element, 1, 9) }, false
  for other, stored in string.gmatch(sub(element, 10), '(%a%a%a)(%a%d+)') do
    local is_own = other == code
    found = found or is_own
    parts[#parts + 1] = other .. (is_own and tally or stored)
  end
  if not found then
    parts[#parts + 1] = code .. tally
  end
  return table.concat(parts)
end

local head = nil
local before, now, applied, sums = {}, {}, 0, {}
local lowest, highest = math.huge, 0
for place = 1, count do
  local seq = tonumber(ARGV[4 * place + 2])
  lowest, highest = math.min(lowest, seq), math.max(highest, seq)
end
-- Neighbours are read in one go.
local from = math.max(lowest, st.f, 1, st.h)
local to = math.min(highest, st.s)
if from <= to and to - from < 4 * count + 64 then
  for place, element in ipairs(call('LRANGE', T, from - st.h, to - st.h)) do
    before[from + place - 1] = element
    now[from + place - 1] = element
  end
end
for place = 1, count do
  local at = 4 * place + 2
  local seq, fingerprint = tonumber(ARGV[at]), ARGV[at + 1]
  local expected, tally = ARGV[at + 2], ARGV[at + 3]
  if before[seq] == nil then
    if st.f > 0 and seq < st.f then
      head = head or read_head(st)
    end
    before[seq] = element_at(st, head, seq) or false
    now[seq] = before[seq]
  end
  local element = now[seq]
  if element and sub(element, 2, 9) == fingerprint and tally_in(before[seq]) == expected
      and tally_in(element) == expected then
    local new = replaced(element, tally)
    sum(sums, element, -1)
    sum(sums, new, 1)
    now[seq] = new
    applied = applied + 1
  end
end
if applied == 0 then
  return { 'S', 0, numbers(code) }
end
local used, found = counters(st, code)
if not found then
  if used >= tonumber(ARGV[4]) then
    return { 'L', used + 1 }
  end
  add_counter(st, code)
end
begin_to_free()
local refused = add_sums(sums)
if refused then
  return refused
end
local head_changed = false
for seq, element in pairs(now) do
  if element and element ~= before[seq] then
    if st.f > 0 and seq < st.f then
      head[seq][1] = element
      head_changed = true
    else
      call('LSET', T, seq - st.h, element)
    end
  end
end
if head_changed then
  write_head(head)
end
st.v = st.v + 1
save(st)
index(st, ARGV[1], 0)
return { 'S', applied, numbers(code) }
