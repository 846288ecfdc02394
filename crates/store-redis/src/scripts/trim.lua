-- ARGV: member, epoch, before, mode; then what a plan says: revision, first, cut, fields and sums.
-- The mode is `plan` to sum here what is short and to ask for a plan of what is long, `apply` to
-- take a plan's sums, `sum` to sum whatever it is.
local st, damage = load()
if damage then
  return redis.error_reply(damage)
end
if not st then
  return { 'D', 0, 1, 0 }
end
-- What an interrupted trim has left over is given back too.
local space = st.f == 0 and 0 or math.min(st.f, st.s) - st.h
local lead = st.f == 0 and leading(st) or st.l
local first = st.f == 0 and lead + 1 or st.f
local before = math.min(tonumber(ARGV[3]), st.s + 1)
if st.e ~= ARGV[2] or before <= first then
  return { 'D', 0, first, text(space) }
end

local function is_boundary(element)
  return string.find('uac', sub(element, 1, 1), 1, true)
end

-- Whether a result stands behind the cut before the next boundary.
local function splits()
  local seq = before
  while seq <= st.s do
    local elements = call('LRANGE', T, seq - st.h, seq - st.h + 63)
    for _, element in ipairs(elements) do
      if is_boundary(element) then
        return false
      end
      if sub(element, 1, 1) == 'r' then
        return true
      end
    end
    seq = seq + #elements
  end
  return false
end

local cut = before
if splits() then
  local seq, found = before - 1, nil
  while seq >= first and not found do
    local from = math.max(seq - 63, first)
    local elements = call('LRANGE', T, from - st.h, seq - st.h)
    for place = #elements, 1, -1 do
      if is_boundary(elements[place]) then
        found = { from + place - 1, sub(elements[place], 1, 1) }
        break
      end
    end
    seq = from - 1
  end
  if found and found[2] == 'c' then
    cut = found[1]
  end
end
if cut <= first then
  return { 'D', 0, first, text(space) }
end
local sums, mode = {}, ARGV[4]
if mode == 'apply' and (tonumber(ARGV[5]) ~= st.v or tonumber(ARGV[6]) ~= first
    or tonumber(ARGV[7]) ~= cut) then
  mode = 'plan'
end
if mode == 'plan' and cut - first > 2000 then
  return { 'P', text(st.v), text(first), text(cut), text(st.h) }
end
if mode == 'apply' then
  for place = 8, #ARGV, 2 do
    sums[ARGV[place]] = -tonumber(ARGV[place + 1])
  end
else
  for from = first, cut - 1, BATCH do
    local to = math.min(from + BATCH, cut) - 1
    for _, element in ipairs(call('LRANGE', T, from - st.h, to - st.h)) do
      sum(sums, element, -1)
    end
  end
end
local refused = change_sums(sums)
if refused then
  return refused
end
if st.f == 0 and lead > 0 then
  local at, head = 1 - st.h, {}
  local elements = call('LRANGE', T, at, at + lead - 1)
  local payloads = call('LRANGE', P, at, at + lead - 1)
  for place = 1, lead do
    head[place] = { elements[place], payloads[place] }
  end
  write_head(head)
end
st.f, st.l, st.v = cut, lead, st.v + 1
save(st)
index(st, ARGV[1], 0)
return { 'D', cut - first, cut, text(math.min(cut, st.s) - st.h) }
