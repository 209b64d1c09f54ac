/**
 * All that is used of the SDK's clients and credential providers. In the npm package this is a file of its own
 * (scripts/build.ts), so that a start that needs none of it does not load it either.
 */
export { DecryptCommand, GenerateDataKeyCommand, KMSClient } from "@aws-sdk/client-kms";
export { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
export { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
export { fromIni, fromWebToken } from "@aws-sdk/credential-providers";
export { externalDataInterceptor, loadConfig, loadSharedConfigFiles } from "@smithy/core/config";
