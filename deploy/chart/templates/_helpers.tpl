{{/* The labels by which an object belongs to this release. */}}
{{- define "social.labels" -}}
app.kubernetes.io/part-of: social
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/name: {{ .name }}
{{- end }}

{{- define "social.metadata" -}}
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "social.labels" . | nindent 4 }}
    app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
    app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{/* What keeps a pod restricted: no root, no privilege, no capability, the default filter of system calls. */}}
{{- define "social.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .user }}
  fsGroup: {{ .user }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "social.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{/* Where a pod runs: apart from its likes, by zone and by machine, as far as there are some. */}}
{{- define "social.placement" -}}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "social.labels" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.images.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* An image of the platform, by digest where one is given. */}}
{{- define "social.image" -}}
{{- $images := .root.Values.images -}}
{{- with get $images.digests .name -}}
{{ $images.registry }}/{{ $.name }}@{{ . }}
{{- else -}}
{{ $images.registry }}/{{ .name }}:{{ $images.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* How many replicas of a service there are at most, while it is rolled. */}}
{{- define "social.mostReplicas" -}}
{{- $hpa := mergeOverwrite (deepCopy .root.Values.hpa) (.service.hpa | default dict) -}}
{{- add 1 (ternary $hpa.max (.service.replicas | default .root.Values.replicas) $hpa.enabled) -}}
{{- end }}

{{/* Settings of a container, in the order of their names. */}}
{{- define "social.env" -}}
{{- range $name, $value := . }}
- { name: {{ $name }}, value: {{ $value | toString | quote }} }
{{- end }}
{{- end }}
