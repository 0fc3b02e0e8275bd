-- How a DataSync is, for Argo CD: argocd-cm, key resource.customizations.health.datasync.dev_DataSync.
local hs = {}

if obj.spec ~= nil and obj.spec.paused == true then
  hs.status = "Suspended"
  hs.message = "spec.paused is set"
  return hs
end

local conditions = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in ipairs(obj.status.conditions) do
    conditions[condition.type] = condition
  end
end

local seen = obj.status ~= nil and obj.status.observedGeneration == obj.metadata.generation
if not seen then
  hs.status = "Progressing"
  hs.message = "Waiting for the operator"
  return hs
end

local function told(condition)
  if condition == nil then
    return ""
  end
  return condition.reason .. ": " .. (condition.message or "")
end

if conditions.Stalled ~= nil and conditions.Stalled.status == "True" then
  hs.status = "Degraded"
  hs.message = told(conditions.Stalled)
elseif conditions.Ready ~= nil and conditions.Ready.status == "True" then
  hs.status = "Healthy"
  hs.message = told(conditions.Ready)
else
  hs.status = "Progressing"
  hs.message = told(conditions.Ready)
end
return hs
