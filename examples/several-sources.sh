#!/bin/sh
# One start, four places: what all services share is sealed in S3, what is rotated is in Secrets Manager, what the
# orchestrator mounts is in /run/secrets, and what this repository overrides is a sealed file in it, under the same key
# of KMS: one run has one --key. A later one wins.
# Usage: several-sources.sh CMD [ARG...]
exec sealexec run \
  --from "${SHARED:-s3://my-secrets/base.env}" \
  --from "${ROTATED:-secretsmanager://my-app/prod}" \
  --from "${MOUNTED:-dir:/run/secrets}" \
  --from "${OVERRIDES:-file:overrides.env.sealed}" \
  --key "${KEY:-arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab}" \
  --require DATABASE_URL \
  -- "$@"
