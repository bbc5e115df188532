# One image, a command for each service: `docker run wharf node dist/apps/gateway/src/main.js`.
# Give NODE_IMAGE with the digest that you have checked: NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:…
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

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
# What production never starts stays out: tools, embedded stores, other systems' Node.
RUN npm ci --ignore-scripts --omit=dev --omit=optional --no-audit --no-fund \
  && npm sbom --omit=dev --omit=optional --sbom-format=spdx > sbom.spdx.json

FROM ${NODE_IMAGE}
# Workers are sandboxed with bubblewrap where the host lets a container make namespaces.
RUN apt-get update && apt-get install -y --no-install-recommends bubblewrap && rm -rf /var/lib/apt/lists/*
WORKDIR /wharf
COPY --from=packages /wharf/node_modules node_modules
COPY --from=packages /wharf/sbom.spdx.json sbom.spdx.json
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
