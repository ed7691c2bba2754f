{{- define "cluster-sync.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "cluster-sync.selector" -}}
app.kubernetes.io/name: dual-writer
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "cluster-sync.labels" -}}
{{ include "cluster-sync.selector" . }}
app.kubernetes.io/part-of: cluster-sync
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* What the chart decides goes over what was given. */}}
{{- define "cluster-sync.config" -}}
{{- $admin := dict "listen" "0.0.0.0:8080" -}}
{{- if .Values.secret.adminToken -}}
{{- $_ := set $admin "token_file" "/run/secrets/cluster-sync/admin-token" -}}
{{- end -}}
{{- $own := dict "listen" "0.0.0.0:9042" "state_dir" "/var/lib/cluster-sync/dual-writer" "admin" $admin -}}
{{- mergeOverwrite (deepCopy .Values.config) $own | toYaml -}}
{{- end }}

{{/* The pause before a stop (5 s), timeouts.drain_ms, and a margin. */}}
{{- define "cluster-sync.grace" -}}
{{- $timeouts := .Values.config.timeouts | default dict -}}
{{- add 15 (div (add 999 (int64 ($timeouts.drain_ms | default 30000))) 1000) -}}
{{- end }}
