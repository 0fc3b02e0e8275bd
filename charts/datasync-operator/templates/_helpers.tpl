{{/* As short as it can be, so that names made from it stay within 63 characters. */}}
{{- define "datasync.fullname" -}}
{{- $name := .Release.Name }}
{{- if not (contains .Chart.Name $name) }}{{ $name = printf "%s-%s" $name .Chart.Name }}{{ end }}
{{- $name | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "datasync.selector" -}}
app.kubernetes.io/name: datasync-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "datasync.labels" -}}
app.kubernetes.io/name: datasync-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: datasync
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "datasync.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "datasync.fullname" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- define "datasync.installation" -}}
{{- .Values.installationId | default (printf "%s.%s" .Release.Namespace .Release.Name | trunc 63) }}
{{- end }}

{{/* Cluster-wide objects carry the namespace, so that two releases of one name do not meet. */}}
{{- define "datasync.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "datasync.fullname" .) }}
{{- end }}

{{/* What the operator does to the objects of a namespace that it watches. */}}
{{- define "datasync.rules" -}}
- apiGroups: [datasync.dev]
  resources: [datasyncs]
  verbs: [get, list, watch, patch]
- apiGroups: [datasync.dev]
  resources: [datasyncs/status]
  verbs: [patch]
- apiGroups: [datasync.dev]
  resources: [datasyncs/finalizers]  # no call: asked by the admission OwnerReferencesPermissionEnforcement
  verbs: [update]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [replicasets]       # may one make a pod yet? then no cleanup begins
  verbs: [list]
- apiGroups: [batch]
  resources: [jobs]              # the cleanup
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps, serviceaccounts]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [namespaces]        # does it end? then nothing is made in it
  verbs: [get]
- apiGroups: [coordination.k8s.io]
  resources: [leases]            # is another installation alive?
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]            # of pods that do not start: why
  verbs: [list, create, patch]
{{- $optional := dict "networkpolicies" (list "networking.k8s.io" .Values.agents.networkPolicy) "podmonitors" (list "monitoring.coreos.com" .Values.agents.podMonitor) }}
{{- range $kind, $of := $optional }}
{{- if or (index $of 1) $.Values.agents.deleteDisabled }}
- apiGroups: [{{ index $of 0 }}]
  resources: [{{ $kind }}]
  verbs: {{ if index $of 1 }}[get, list, watch, create, patch, delete]{{ else }}[list, delete]{{ end }}
{{- end }}
{{- end }}
{{- end }}

{{/* User and group of a pod's security context; int64 because Helm reads a number as a float. */}}
{{- define "datasync.user" -}}
{{- range $key, $value := .Values.podSecurityContext | default dict }}
{{- if ne $value nil }}
{{ $key }}: {{ int64 $value }}
{{- end }}
{{- end }}
{{- end }}
