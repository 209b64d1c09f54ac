# The Ruby client of `npm run bench:peers`: what sealexec does with one v3 object. Credentials by IMDSv2, one GetObject,
# one Decrypt, the envelope opened, the program exec'ed with the variables.
#
#   ruby get.rb BUCKET KEY PROGRAM [ARGUMENT…]
#
# It runs on Debian's ruby-aws-sdk-s3 and ruby-aws-sdk-kms.
require "aws-sdk-kms"
require "aws-sdk-s3"
require "json"
require "openssl"

SUITE = "\x00\x73".b

# What the default chain of aws-sdk-core 3.168 would come to, with two differences: it ignores the port of the endpoint,
# and each client would ask IMDS again.
IMDS_PORT = URI(ENV.fetch("AWS_EC2_METADATA_SERVICE_ENDPOINT")).port
Aws.config[:credentials] = Aws::InstanceProfileCredentials.new(port: IMDS_PORT)

def read(bucket, key)
  s3 = Aws::S3::Client.new(endpoint: ENV.fetch("AWS_ENDPOINT_URL_S3"), force_path_style: true)
  kms = Aws::KMS::Client.new(endpoint: ENV.fetch("AWS_ENDPOINT_URL_KMS"))
  object = s3.get_object(bucket: bucket, key: key)
  metadata = object.metadata
  unless metadata.values_at("x-amz-c", "x-amz-w") == %w[115 12]
    raise "not a v3 object under kms+context"
  end
  context = JSON.parse(metadata.fetch("x-amz-t"))
  raise "the context names another algorithm" unless context["aws:x-amz-cek-alg"] == "115"
  raise "the context names another object" unless [nil, "s3://#{bucket}/#{key}"].include?(context["sealexec:object"])
  wrapped_key, message_id, commitment = metadata.fetch_values("x-amz-3", "x-amz-i", "x-amz-d").map { |text| text.unpack1("m0") }
  # aws-sdk-kms 1.24 has no key_id here: KMS goes by the key that the wrapped key names.
  data_key = kms.decrypt(ciphertext_blob: wrapped_key, encryption_context: context).plaintext
  open_v3(data_key, message_id, commitment, object.body.read)
end

def open_v3(data_key, message_id, commitment, body)
  unless [data_key, message_id, commitment].map(&:bytesize) == [32, 28, 28] && body.bytesize >= 16
    raise "a length is wrong"
  end
  derive = ->(label, length) { OpenSSL::KDF.hkdf(data_key, salt: message_id, info: SUITE + label, length: length, hash: "SHA512") }
  unless OpenSSL.fixed_length_secure_compare(derive.("COMMITKEY", 28), commitment)
    raise "the commitment does not match"
  end
  cipher = OpenSSL::Cipher.new("aes-256-gcm").decrypt
  cipher.key = derive.("DERIVEKEY", 32)
  # s3-encryption/key-derivation.md: the IV is twelve 0x01 bytes.
  cipher.iv = "\x01" * 12
  cipher.auth_tag = body[-16..]
  cipher.auth_data = SUITE
  cipher.update(body[...-16]) + cipher.final
end

# Only lines of the form NAME='value', which is all that the sealed .env of the bench has.
def variables(text)
  text.lines(chomp: true).to_h { |line| line.match(/\A(\w+)='(.*)'\z/).captures }
end

bucket, key, *command = ARGV
exec(variables(read(bucket, key)), *command)
