# The demo, or any other command, in a container:
#
#     docker build -t squeezespan .
#     docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" squeezespan
#
# For NVIDIA's GPUs, PyPI's torch (several GB) in place of the one for CPUs:
#
#     docker build -t squeezespan --build-arg TORCH_INDEX=https://pypi.org/simple .
#     docker run --rm --gpus all ... squeezespan distill --preset squeeze-span ...
ARG PYTHON=3.12
FROM python:${PYTHON}-slim
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

WORKDIR /source
COPY constraints.txt .
RUN pip install --no-cache-dir torch torchvision -c constraints.txt --index-url ${TORCH_INDEX} \
    --extra-index-url https://pypi.org/simple
COPY pyproject.toml README.md LICENSE ./
COPY tools/package_page.py tools/
COPY src src
RUN pip install --no-cache-dir ".[score,export]" -c constraints.txt

# Any user may run it, and writes to the folder that is mounted here.
ENV HOME=/tmp
WORKDIR /work
ENTRYPOINT ["squeezespan"]
CMD ["demo"]
