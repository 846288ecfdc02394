-- ARGV: member, epoch, code, most counters, count; by how much tokens, tallies, estimates and
-- fallbacks change if all is applied; then for each settlement: seq, what stands behind the class if
-- there is no other tally (fingerprint, code and the expected tally or nothing), new tally.
local st, damage = load()
if damage then
  return redis.error_reply(damage)
end
if not st or st.e ~= ARGV[2] then
  return { 'S', 0, {} }
end
local code, count = ARGV[3], tonumber(ARGV[5])
local ENDS = 3 * count + 9

-- What stands before a tally of this counter, the tally or nothing, and what stands behind it.
local function split(element)
  local at = 10
  while at <= #element do
    local first, last = string.find(element, '^%a%d+', at + 3)
    if not first then
      break
    end
    if sub(element, at, at + 2) == code then
      return sub(element, 1, at - 1), sub(element, first, last), sub(element, last + 1)
    end
    at = last + 1
  end
  return element, '', ''
end

local head = nil
local seqs, before, now, applied = {}, {}, {}, {}
local lowest, highest = math.huge, 0
for at = 10, ENDS, 3 do
  local seq = tonumber(ARGV[at])
  if seq < lowest then
    lowest = seq
  end
  if seq > highest then
    highest = seq
  end
  seqs[#seqs + 1] = seq
end
-- Neighbours are read in one go.
local from = math.max(lowest, st.f, 1, st.h)
local to = math.min(highest, st.s)
if from <= to and to - from < 4 * count + 64 then
  for place, element in ipairs(call('LRANGE', T, from - st.h, to - st.h)) do
    before[from + place - 1] = element
  end
end
for place, seq in ipairs(seqs) do
  local element = before[seq]
  if element == nil then
    if st.f > 0 and seq < st.f then
      head = head or read_head(st)
    end
    element = element_at(st, head, seq) or false
    before[seq] = element
  end
  -- What this call has changed is not what the rest of it expects.
  if element and (now[seq] or element) == element then
    local expected, tally, new = ARGV[3 * place + 8], ARGV[3 * place + 9], nil
    if sub(element, 2) == expected then
      new = sub(element, 1, 12) .. tally
    elseif sub(element, 2, 9) == sub(expected, 1, 8) then
      local front, found, back = split(element)
      new = found == sub(expected, 12) and front .. code .. tally .. back
    end
    if new then
      now[seq] = new
      applied[#applied + 1] = place
    end
  end
end
if #applied == 0 then
  return { 'S', 0, numbers(code) }
end
local used, found = counters(st, code)
if not found then
  if used >= tonumber(ARGV[4]) then
    return { 'L', used + 1 }
  end
  add_counter(st, code)
end
local sums = {}
if #applied == count then
  for place, field in ipairs({ 'n', 'k', 'q', 'b' }) do
    sums[field .. code] = tonumber(ARGV[place + 5])
  end
else
  for _, place in ipairs(applied) do
    local expected = sub(ARGV[3 * place + 8], 12)
    if expected ~= '' then
      sum(sums, '123456789' .. code .. expected, -1)
    end
    sum(sums, '123456789' .. code .. ARGV[3 * place + 9], 1)
  end
end
local refused = change_sums(sums)
if refused then
  return refused
end
local head_changed, changed = false, {}
for _, place in ipairs(applied) do
  local seq = seqs[place]
  if st.f > 0 and seq < st.f then
    head[seq][1] = now[seq]
    head_changed = true
  else
    changed[#changed + 1] = seq
  end
end
if head_changed then
  write_head(head)
end
-- The end of the list is taken off and put back in two calls, where that is about what changes. Its
-- first element stays, since a list without elements would lose its end of life.
local first = math.max(from, st.h + 1)
local kept = first - st.h
if first <= st.s and #changed > 4 and #changed <= BATCH and st.s - first < 2 * #changed then
  local elements = call('LRANGE', T, kept, -1)
  for _, seq in ipairs(changed) do
    if seq >= first then
      elements[seq - first + 1] = now[seq]
    else
      call('LSET', T, 0, now[seq])
    end
  end
  call('LTRIM', T, 0, kept - 1)
  call('RPUSH', T, unpack(elements))
else
  for _, seq in ipairs(changed) do
    -- As text, since Redis writes numbers out slowly.
    call('LSET', T, text(seq - st.h), now[seq])
  end
end
st.v = st.v + 1
save(st)
index(st, ARGV[1], 0)
return { 'S', #applied, numbers(code) }
