package io.pq32.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Draws the figures of a run of {@code recall} again from the JSON lines it wrote. */
@Command(
    name = "plot",
    sortOptions = false,
    usageHelpAutoWidth = true,
    description =
        "Draws recall against speed from the file that 'recall --json' wrote; of filtered searches"
            + " speed and recall against the share of the vectors that pass, in two files.")
final class PlotCommand implements Callable<Integer> {
  @Option(
      names = "--json",
      required = true,
      paramLabel = "FILE",
      description = "what 'recall --json' wrote")
  private Path json;

  @Option(
      names = "--run",
      paramLabel = "N",
      description = "which run of the file, 1 being the first; default: the last")
  private Integer run;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description = "the .svg or .png file to draw")
  private Path out;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "show this help")
  private boolean help;

  @Override
  public Integer call() throws IOException {
    PictureFile picture = PictureFile.named("--out", out);
    picture.write(ResultsFile.read(json).figures(Optional.ofNullable(run)));
    return 0;
  }
}
