"""The playground: a local web page over the lab's own descents and worked calculations."""
