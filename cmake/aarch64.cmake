# For 64-bit Arm from a Debian of another kind: its cross-compiler, the libraries of its architecture beside the
# machine's own (scripts/setup --arm), and qemu to run what was built.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
