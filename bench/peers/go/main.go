// The Go client of `npm run bench:peers`: what sealexec does with one v3 object, in as little Go as does it. Credentials
// by the SDK's default chain, one GetObject, one Decrypt, the envelope opened, the variables set, the program exec'ed.
//
//	go-client BUCKET KEY PROGRAM [ARGUMENT…]
//
// It compiles against Debian's golang-github-aws-aws-sdk-go-dev: GOPATH=/usr/share/gocode GO111MODULE=off go build
package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/kms"
	"github.com/aws/aws-sdk-go/service/s3"
)

const suite = "\x00\x73"

func main() {
	if len(os.Args) < 4 {
		must(errors.New("usage: BUCKET KEY PROGRAM [ARGUMENT…]"))
	}
	program, err := exec.LookPath(os.Args[3])
	must(err)
	plaintext, err := read(os.Args[1], os.Args[2])
	must(err)
	must(setVariables(string(plaintext)))
	must(syscall.Exec(program, os.Args[3:], os.Environ()))
}

func read(bucket, key string) ([]byte, error) {
	shared, err := session.NewSession()
	if err != nil {
		return nil, err
	}
	// This release of the SDK does not read AWS_ENDPOINT_URL_*.
	store := s3.New(shared, aws.NewConfig().WithEndpoint(os.Getenv("AWS_ENDPOINT_URL_S3")).WithS3ForcePathStyle(true))
	keys := kms.New(shared, aws.NewConfig().WithEndpoint(os.Getenv("AWS_ENDPOINT_URL_KMS")))

	object, err := store.GetObject(&s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, err
	}
	defer object.Body.Close()
	body, err := io.ReadAll(object.Body)
	if err != nil {
		return nil, err
	}
	sealed, err := parse(object.Metadata, "s3://"+bucket+"/"+key)
	if err != nil {
		return nil, err
	}
	decrypted, err := keys.Decrypt(&kms.DecryptInput{
		CiphertextBlob:    sealed.wrappedKey,
		EncryptionContext: aws.StringMap(sealed.context),
		KeyId:             aws.String(os.Getenv("SEALEXEC_KEY")),
	})
	if err != nil {
		return nil, err
	}
	return sealed.open(decrypted.Plaintext, body)
}

type envelope struct {
	wrappedKey, messageID, commitment []byte
	context                           map[string]string
}

func parse(metadata map[string]*string, uri string) (sealed envelope, err error) {
	of := map[string]string{}
	for name, value := range metadata {
		of[strings.ToLower(name)] = *value
	}
	if of["x-amz-c"] != "115" || of["x-amz-w"] != "12" {
		return sealed, errors.New("not a v3 object under kms+context")
	}
	if err = json.Unmarshal([]byte(of["x-amz-t"]), &sealed.context); err != nil {
		return sealed, err
	}
	if sealed.context["aws:x-amz-cek-alg"] != "115" {
		return sealed, errors.New("the context names another algorithm")
	}
	if bound, is := sealed.context["sealexec:object"]; is && bound != uri {
		return sealed, errors.New("the context names another object")
	}
	for name, into := range map[string]*[]byte{
		"x-amz-3": &sealed.wrappedKey, "x-amz-i": &sealed.messageID, "x-amz-d": &sealed.commitment,
	} {
		if *into, err = base64.StdEncoding.DecodeString(of[name]); err != nil {
			return sealed, err
		}
	}
	return sealed, nil
}

func (sealed envelope) open(dataKey, body []byte) ([]byte, error) {
	if len(dataKey) != 32 || len(sealed.messageID) != 28 || len(sealed.commitment) != 28 {
		return nil, errors.New("a length is wrong")
	}
	prk := mac(sealed.messageID, dataKey)
	if !hmac.Equal(expand(prk, "COMMITKEY")[:28], sealed.commitment) {
		return nil, errors.New("the commitment does not match")
	}
	block, err := aes.NewCipher(expand(prk, "DERIVEKEY")[:32])
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	// s3-encryption/key-derivation.md: the IV is twelve 0x01 bytes.
	iv := []byte(strings.Repeat("\x01", 12))
	return gcm.Open(nil, iv, body, []byte(suite))
}

// RFC 5869, 2.3; one block of 64 bytes is more than either key needs.
func expand(prk []byte, label string) []byte {
	return mac(prk, []byte(suite+label+"\x01"))
}

func mac(key, message []byte) []byte {
	sum := hmac.New(sha512.New, key)
	sum.Write(message)
	return sum.Sum(nil)
}

// Only lines of the form NAME='value', which is all that the sealed .env of the bench has.
func setVariables(text string) error {
	for number, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		name, value, found := strings.Cut(line, "=")
		if !found {
			return fmt.Errorf("line %d: no \"=\" in assignment", number+1)
		}
		if err := os.Setenv(name, strings.Trim(value, "'")); err != nil {
			return err
		}
	}
	return nil
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
