"""One definition in each format, as people write them."""
import json

CONDA = """name: train
channels:
  - conda-forge
dependencies:
  - python=3.11
  - numpy=1.26
  - pip=24.2
  - pip:
      - mlflow-skinny==2.16.2
      - torch==2.4.0 ; python_version >= "3.9"
"""

REQUIREMENTS = """--extra-index-url https://example.org/simple
numpy==1.26.4
uvicorn[standard]==0.30.6  # serves; quickly
"""

AZUREML_V2 = """$schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json
name: churn
version: 1.10
description: what churn needs
tags: {team: growth}
image: python:3.11-slim-bookworm
conda_file: conda.yml
"""

AZUREML_V1 = json.dumps(
    {
        "name": "legacy",
        "version": None,
        "environmentVariables": {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"},
        "python": {
            "userManagedDependencies": False,
            "interpreterPath": "python",
            "condaDependenciesFile": None,
            "baseCondaEnvironment": None,
        },
        "docker": {
            "enabled": False,
            "baseImage": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:20230120.v1",
            "baseDockerfile": None,
            "sharedVolumes": True,
            "shmSize": "2g",
            "arguments": [],
            "baseImageRegistry": {"address": None, "username": None, "password": None, "registryIdentity": None},
            "platform": {"os": "Linux", "architecture": "amd64"},
        },
        "spark": {"repositories": [], "packages": [], "precachePackages": True},
        "databricks": {
            "mavenLibraries": [],
            "pypiLibraries": [],
            "rcranLibraries": [],
            "jarLibraries": [],
            "eggLibraries": [],
        },
        "r": None,
        "inferencingStackVersion": None,
    },
    indent=4,
)

DOCKERFILE = """FROM python:3.11-slim-bookworm
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY src/ src/
USER 1000
CMD ["python", "src/main.py"]
"""


def write_all(cloche):
    """Every format on the disk; gives what `-f` takes, by format."""
    cloche.write("environment.yml", CONDA)
    cloche.write("requirements.txt", REQUIREMENTS)
    cloche.write("azure/environment.yml", AZUREML_V2)
    cloche.write("azure/conda.yml", CONDA)
    cloche.write("v1/azureml_environment.json", AZUREML_V1)
    cloche.write("v1/conda_dependencies.yml", CONDA)
    cloche.write("Dockerfile", "FROM python:3.11-slim-bookworm\nRUN pip install --no-cache-dir numpy==1.26.4\n")
    cloche.write("context/Dockerfile", DOCKERFILE)
    cloche.write("context/.dockerignore", "*.md\n")
    cloche.write("context/README.md", "not copied\n")
    cloche.write("context/requirements.txt", "numpy==1.26.4\n")
    cloche.write("context/src/main.py", "print(1)\n")
    return {
        "conda": "environment.yml",
        "requirements": "requirements.txt",
        "azureml-v2": "azure/environment.yml",
        "azureml-v1": "v1",
        "dockerfile": "Dockerfile",
        "build-context": "context",
    }
