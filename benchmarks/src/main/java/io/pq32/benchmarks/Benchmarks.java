package io.pq32.benchmarks;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command line of {@code benchmarks.jar}. */
@Command(
    name = "benchmarks",
    description = "Measures pq32 beside Lucene's own vector formats.",
    subcommands = {RecallCommand.class, PlotCommand.class, JmhCommand.class},
    synopsisSubcommandLabel = "COMMAND")
public final class Benchmarks {
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "show this help")
  private boolean help;

  private Benchmarks() {}

  /**
   * Runs one command and exits with its status.
   *
   * @param args command and options; none prints the usage
   */
  public static void main(String[] args) throws Exception {
    VectorModule.relaunchWhenMissing(args);
    System.exit(commandLine().execute(args.length == 0 ? new String[] {"--help"} : args));
  }

  static CommandLine commandLine() {
    CommandLine commandLine = new CommandLine(new Benchmarks());
    // JMH has a command line of its own: everything after "jmh" is left to it.
    commandLine.getSubcommands().get("jmh").setUnmatchedOptionsArePositionalParams(true);
    CommandLine.IExecutionExceptionHandler unexpected = commandLine.getExecutionExceptionHandler();
    return commandLine.setExecutionExceptionHandler(
        (e, command, result) -> {
          if (e instanceof BadInputException) {
            command.getErr().println(command.getCommandName() + ": " + e.getMessage());
            return CommandLine.ExitCode.USAGE;
          }
          return unexpected.handleExecutionException(e, command, result);
        });
  }
}
