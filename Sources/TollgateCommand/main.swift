import ArgumentParser
import Configuration
import Subprocess
print("hi")
