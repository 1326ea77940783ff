"""What a partner types to get its first token: a shell, openssl and curl, so that nothing of ours has to be installed.

Source: https://hl7.org/fhir/smart-app-launch/backend-services.html
"""

import shlex
from collections.abc import Mapping

# openssl signs with an EC key in DER; a JWS wants the two numbers side by side, 48 bytes each (RFC 7518, 3.4).
RAW = """ | openssl asn1parse -inform DER | awk -F: '/INTEGER/ { n = sprintf("%96s", $NF); gsub(" ", "0", n); printf n }' \\
  | sed 's/../\\\\x&/g' | xargs -0 printf '%b'"""
ASKING = """\
b64() {{ openssl base64 -A | tr '+/' '-_' | tr -d '='; }}
now=$(date +%s)
head=$(printf '{{"alg":"{alg}","typ":"JWT","kid":"%s"}}' {kid} | b64)
body=$(printf '{{"iss":"%s","sub":"%s","aud":"%s","iat":%d,"exp":%d,"jti":"%s"}}' \\
  {client} {client} {url} "$now" "$((now + 240))" "$(openssl rand -hex 16)" | b64)
sign=$(printf '%s' "$head.$body" | openssl dgst -sha384 -sign "$DUI_PARTNER_KEY"{raw} | b64)
curl -sS {url} -d grant_type=client_credentials --data-urlencode scope={scope} \\
  -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \\
  -d client_assertion="$head.$body.$sign"
"""


def asking(url: str, client_id: str, key: Mapping[str, str], scope: str) -> str:
    """For the holder of this key, in the file that `DUI_PARTNER_KEY` names (PEM)."""
    alg, raw = ("RS384", "") if key["kty"] == "RSA" else ("ES384", RAW)
    words = {"kid": key["kid"], "client": client_id, "url": url, "scope": scope}
    return ASKING.format(alg=alg, raw=raw, **{name: shlex.quote(word) for name, word in words.items()})
