/** All that is used of the SDK: in the npm package a file of its own, which a start without it does not load. */
export { DecryptCommand, GenerateDataKeyCommand, KMSClient } from "@aws-sdk/client-kms";
export { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
export { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
export { fromIni, fromWebToken } from "@aws-sdk/credential-providers";
export { externalDataInterceptor, loadConfig, loadSharedConfigFiles } from "@smithy/core/config";
