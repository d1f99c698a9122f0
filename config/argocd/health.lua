-- Health of objects of rowlock.dev for Argo CD: what their condition Ready says about their present form.
local waiting = {status = "Progressing", message = "the operator has not looked at it yet"}

if obj.kind == "ReferenceGrant" then
    return {status = "Healthy", message = "a consent has no state"}
end
if obj.kind == "Engine" and obj.spec ~= nil and obj.spec.paused == true then
    return {status = "Suspended", message = "paused"}
end
if obj.status == nil or obj.status.conditions == nil then
    return waiting
end
local stalled = false
for _, condition in ipairs(obj.status.conditions) do
    if condition.type == "Stalled" and condition.status == "True" and condition.observedGeneration == obj.metadata.generation then
        stalled = true
    end
end
for _, condition in ipairs(obj.status.conditions) do
    if condition.type == "Ready" then
        if condition.observedGeneration ~= obj.metadata.generation then
            return waiting
        end
        local message = condition.reason
        if condition.message ~= nil and condition.message ~= "" then
            message = message .. ": " .. condition.message
        end
        if condition.status == "True" then
            return {status = "Healthy", message = message}
        end
        -- What an object needs may come after it, in the same wave too.
        if stalled then
            return {status = "Degraded", message = message}
        end
        return {status = "Progressing", message = message}
    end
end
return waiting
