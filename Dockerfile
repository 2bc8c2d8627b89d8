# Readback's server. Build: docker build -t readback . Run: see compose.yaml and docs/operating.md
FROM python:3.11-slim AS build
RUN python -m venv /opt/readback
ENV PATH=/opt/readback/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
COPY requirements.txt ./
RUN pip install --require-hashes -r requirements.txt
COPY . .
RUN pip install --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home readback && install -d -o readback -g readback /data
COPY --from=build /opt/readback /opt/readback
ENV PATH=/opt/readback/bin:$PATH PYTHONUNBUFFERED=1 READBACK_DATA_DIR=/data READBACK_HOST=0.0.0.0
USER readback
WORKDIR /home/readback
VOLUME /data
EXPOSE 7860
STOPSIGNAL SIGTERM
# the first start indexes the shipped papers
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/readyz', timeout=4)"]
ENTRYPOINT ["readback"]
CMD ["serve"]
