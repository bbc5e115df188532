#!/bin/sh
# Builds the image for both kinds of machine, pushes and signs it with the list of what is in it, and writes its digest into
# overlays: deploy/release.sh NAME VERSION OVERLAY …, for example registry.example.com/wharf 1.4.0 production/green.
# Needs docker with buildx, cosign, and a login at the registry.
set -eu
name=${1:?Name the image, for example registry.example.com/wharf}
version=${2:?Name the version, for example 1.4.0}
[ $# -gt 2 ] || { echo 'Name the overlays that it goes to, for example production/green.' >&2; exit 1; }
shift 2
cd "$(dirname "$0")/.."
[ -z "$(git status --porcelain)" ] || { echo 'There are changes that are not committed; a release is of a commit.' >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Nothing is built upon an image that nobody has looked up.
npm run --silent images -- check --pinned

# BuildKit's own lists name the system's packages too, and its provenance says of which commit it was built.
docker buildx build --platform linux/amd64,linux/arm64 --provenance=mode=max --sbom=true \
  --tag "$name:$version" --metadata-file "$work/build.json" --push .
docker buildx build --target sbom --output "$work" .
digest=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1]))["containerimage.digest"]' "$work/build.json")

cosign sign --yes "$name@$digest"
cosign attest --yes --type cyclonedx --predicate "$work/sbom.cdx.json" "$name@$digest"

npm run --silent images -- release "$name@$digest" "$@"
echo "Released $name:$version as $digest. Commit what was written, and apply it: docs/kubernetes.md."
