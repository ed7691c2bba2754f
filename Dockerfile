# syntax=docker/dockerfile:1
# cluster-sync: all of its services and tools in one program.
#
#   docker build --build-arg VERSION=0.1.0 -t registry.example.com/cluster-sync:0.1.0 .
#   docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges -v cluster-sync:/var/lib/cluster-sync \
#       -p 127.0.0.1:9042:9042 -e CASSANDRA_HOSTS=… -e SCYLLA_HOSTS=… IMAGE dual-writer --listen 0.0.0.0:9042
#
# It has no HEALTHCHECK: the admin port has /health/liveness and /health/readiness for whoever runs it, and the image has no
# program that could ask them.
FROM swift:6.3-bookworm AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libdeflate-dev liblz4-dev libsnappy-dev libsqlite3-dev libxxhash-dev libzstd-dev pkg-config zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
# The dependencies change less often than the sources.
COPY Package.* ./
RUN swift package resolve
COPY Sources ./Sources
COPY Tests ./Tests
COPY scripts/completions ./scripts/completions
# One file that runs without Swift installed, without debug information.
RUN swift build -c release --static-swift-stdlib -Xlinker -S --product cluster-sync \
    && install -D -m 0755 "$(swift build -c release --static-swift-stdlib --show-bin-path)/cluster-sync" \
        /root-of-image/usr/local/bin/cluster-sync \
    && scripts/completions /root-of-image /root-of-image/usr/local/bin/cluster-sync \
    && install -d -m 0755 /root-of-image/etc/cluster-sync \
    && install -d -m 0700 -o 65532 -g 65532 /root-of-image/var/lib/cluster-sync

# The Debian of the build: the same C and C++ libraries.
FROM debian:bookworm-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="cluster-sync" \
      org.opencontainers.image.description="Moves data between Cassandra and ScyllaDB clusters while applications go on" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# Security updates come with a new image, so versions are not pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates libdeflate0 liblz4-1 libsnappy1v5 libsqlite3-0 libstdc++6 libzstd1 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && ldconfig
COPY --from=build /root-of-image/ /
COPY config/ /usr/share/cluster-sync/config/
# A number, so that runAsNonRoot can be checked without a look into /etc/passwd. Only /var/lib/cluster-sync is written to.
USER 65532:65532
WORKDIR /var/lib/cluster-sync
# CQL, and the admin ports of sidecar and loader.
EXPOSE 9042 8080 9092
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/cluster-sync"]
CMD ["--help"]
