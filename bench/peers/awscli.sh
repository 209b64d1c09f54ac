#!/bin/sh
# The shell entrypoint of `npm run bench:peers`: GetObject and Decrypt by the aws command, one process each, then exec.
# It does less than sealexec: there is no AES-GCM in a shell, so the body stays sealed.
#
#   awscli.sh BUCKET KEY PROGRAM [ARGUMENT…]
#
# The wrapped key is in the object's metadata, which `aws s3 cp` does not show (and it sends a HeadObject first).
set -eu
bucket=$1 key=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

aws s3api get-object --endpoint-url "$AWS_ENDPOINT_URL_S3" --bucket "$bucket" --key "$key" \
  --query '[Metadata."x-amz-3", Metadata."x-amz-t"]' --output text "$folder/body" >"$folder/metadata"
IFS=$(printf '\t') read -r wrapped_key context <"$folder/metadata"
data_key=$(printf %s "$wrapped_key" | base64 -d |
  aws kms decrypt --endpoint-url "$AWS_ENDPOINT_URL_KMS" --ciphertext-blob fileb:///dev/stdin \
    --encryption-context "$context" --key-id "$SEALEXEC_KEY" --query Plaintext --output text)
[ ${#data_key} -eq 44 ] # 32 bytes in base64

rm -rf "$folder"
exec "$@"
