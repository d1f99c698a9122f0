# Both programs, the libraries they are linked to, certificates of public authorities, and nothing else: no shell, no
# package manager.
#
#   docker build -t rowlock:0.1.0 .
#
# Where the programs are built already, they are taken from the folder `built` of the context instead:
#
#   docker build --build-arg PROGRAMS=built -t rowlock:0.1.0 .
ARG PROGRAMS=compiled

FROM debian:bookworm-slim AS compiled
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
RUN curl -fsSL --proto =https https://sh.rustup.rs | sh -s -- -y --profile minimal --default-toolchain none
WORKDIR /source
COPY . .
RUN . "$HOME/.cargo/env" && cargo build --release --locked -p rowlock -p operator
RUN config/image/collect /programs target/release/rowlock target/release/rowlock-operator

FROM scratch AS built
COPY built /programs

FROM ${PROGRAMS} AS programs

FROM scratch
COPY --from=programs /programs /
# Nobody in particular; the root file system may be read-only.
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/rowlock"]
CMD ["serve"]
