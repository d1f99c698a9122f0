{{/* The beginning of every name: the release's, so that two releases do not meet. */}}
{{- define "rowlock.name" -}}
{{- if contains "rowlock" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-rowlock" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "rowlock.selector" -}}
app.kubernetes.io/name: rowlock-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "rowlock.labels" -}}
{{ include "rowlock.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "rowlock.account" -}}
{{- if .Values.serviceAccount.name }}{{ .Values.serviceAccount.name }}{{ else if .Values.serviceAccount.create }}{{ include "rowlock.name" . }}-operator{{ else }}default{{ end }}
{{- end }}

{{- define "rowlock.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* A binding's subject: the operator. */}}
{{- define "rowlock.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "rowlock.account" . }}
    namespace: {{ .Release.Namespace }}
{{- end }}
