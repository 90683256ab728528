# The API server: one process, no root, nothing writable but /data and /tmp.
FROM python:3.11.14-slim-bookworm

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# /data exists in the image with its owner, so that a named volume mounted there is writable for that user.
RUN groupadd --gid 10001 tutor \
    && useradd --uid 10001 --gid tutor --home-dir /data --no-create-home --shell /usr/sbin/nologin tutor \
    && install --directory --owner tutor --group tutor --mode 0750 /data

WORKDIR /app
COPY . .
RUN pip install -c constraints.txt .

ENV TUTOR_HOME=/data
USER tutor
VOLUME /data
EXPOSE 8000

HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4).close()"]

CMD ["tutor", "serve", "--host", "0.0.0.0", "--port", "8000"]
