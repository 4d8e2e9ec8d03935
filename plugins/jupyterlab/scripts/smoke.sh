# shellcheck shell=bash disable=SC2154 # `url` and `kernels` stand before it
# Proves it: nobody comes in without the token, and a kernel of each kind computes a sum.
stampede_detail "a sum in ${kernels[*]}"
token=$(stampede_secret token)
said=$(TOKEN=$token timeout "$STAMPEDE_TIMEOUT_S" /opt/jupyterlab/bin/python /usr/local/lib/jupyterlab/smoke.py "$url" "${kernels[@]}" 2>&1) || {
  printf '%s\n' "${said//$token/...}" >&2
  stampede_fail "JupyterLab is not as it should be: $(tail -n 1 <<<"${said//$token/...}")"
}
stampede_detail "$said"
