# The demo, or any other command, in a container:
#
#     docker build -t squeezespan .
#     docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" squeezespan
#
# As it is, with NVIDIA's libraries (several GB), for GPUs and CPUs:
#
#     docker run --rm --gpus all ... squeezespan distill --preset squeeze-span ...
#
# For CPUs alone, much smaller: build with `--build-arg PIP_EXTRA_INDEX_URL=...`, the index of
# PyTorch's CPU builds, which "Get started" on pytorch.org names.
ARG PYTHON=3.12
FROM python:${PYTHON}-slim
# pip reads it.
ARG PIP_EXTRA_INDEX_URL

WORKDIR /source
COPY constraints.txt .
RUN pip install --no-cache-dir torch torchvision -c constraints.txt
COPY pyproject.toml README.md LICENSE ./
COPY tools/package_page.py tools/
COPY src src
RUN pip install --no-cache-dir ".[score,export]" -c constraints.txt

# Any user may run it, and writes to the folder that is mounted here.
ENV HOME=/tmp
WORKDIR /work
ENTRYPOINT ["squeezespan"]
CMD ["demo"]
