public import ArgumentParser
public import LogOutput
public import Logging

extension LogFormat: ExpressibleByArgument {}

extension Logger.Level: @retroactive ExpressibleByArgument {}
